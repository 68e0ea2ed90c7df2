"""Names that standards give to languages, scripts, countries and currencies, as plain text; `words.py` and `money.py` take it apart.

Languages, scripts and regions: the IANA Language Subtag Registry (BCP 47), edition of 2021-08-06, without what is deprecated.
Countries: ISO 3166-1. Currencies: ISO 4217 as of 2026, without metals, funds of account and test codes, with four that were withdrawn since 2023.
"""

LANGUAGES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik in io is it iu iw ja ji
jv jw ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na nb
nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr
ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
"""Languages of two letters."""

LONGER_LANGUAGES = """
aa.abcdefghiklmnopqstuvwxz ab.abcdefghijlmnopqrstuvwxyz ac.abdefhiklmnpqrstuvwxyz ad.abdefghijlnopqrstuwxyz
ae.abcdeklmnqrsuwyz af.abdeghiknopstuz ag.abcdefghijklmnoqrstuvwxyz ah.abghiklmnoprst ai.abcdefghijklmnopqrtwxy
aj.aginptuwz ak.bcdefghijklmopqrstuvwxyz al.acdefghijklmnopqrstuvwxyz am.abcefgijklmnopqrstuvwxyz
an.abcdefghijklmnopqrstuvwxyz ao.abcdefgijklmnrstuxz ap.abcdefghijklmnopqrstuvwxyz aq.acdgklmnprtz
ar.bcdehijklnopqrstuvwxyz as.abcdefghijklnopqrstuvwxyz at.abcdeghijklmnopqrstuvwxyz au.abcdefghijklmnopqrstuwxyz
av.bdiklmnostuv aw.abcdeghikmnorstuvwxy ax.begklmx ay.abcdeghiklnopqrstuxz az.abcdgjmnotz ba.abcdefghijlnoprstuvwxy
bb.abcdefghijklmnopqrstuvwxy bc.abcdefghijklmnopqrstuvwyz bd.abcdefghijklmnopqrstuvwxyz be.abcdefghijkmopqrstuvwxyz
bf.abcdefghijklmnopqrstuwxyz bg.abcdefgijklmnopqrstuvwxyz bh.abcdefghijlmnopqrstuvwxyz bi.abcdefgklmnopqrtuvwxyz
bj.abcdefghijklmnoprstuvwxyz bk.acdfghijklmnopqrstuvwxyz bl.abcdefghijklmnopqrstvwxyz bm.abcdefghijklmnopqrstuvwxz
bn.abcdefgijklmnopqrstuvwxyz bo.abefghijklmnopqrtuvwxyz bp.adeghijklmnopqrstuvwxyz bq.abcdfghijklmnopqrstuvwxyz
br.abcdfghijklmnopqrstuvwxyz bs.abcefghijklmnopqrstuvwxy bt.acdefghijkmnopqrstuvwxyz bu.abcdefghijkmnopqstuvwxyz
bv.abcdefghijklmnopqrtuvwxyz bw.abcdefghijklmnopqrstuwxyz bx.abcdefghijklmnopqrsuvwz by.abcdefghijklmnopqrstvwxz
bz.abcdefghijklmnopqrstuvwxyz ca.abcdefghijklmnopqrsuvwxyz cb.abcdgijklnoqrstuvwy cc.cdeghjlmnopqrs
cd.acdefhijmnorsyz ce.abgklnty cf.adgm cg.acgk ch.bcdfghjklmnopqrtwxyz ci.abcdehkmnprwy cj.aehikmnoprsvy
ck.abhlmnoqrstuvxyz cl.acdehijklmotuwy cm.acegiklmnorst cn.abcghikloprstuwx co.abcdefghjklmnopqtuvwxyz
cp.abcefginopsuxy cq.du cr.abcdfghijklmnopqrstvwxyz cs.abcdefghijklmnopqrstuvwxyz ct.acdeghlmnopstuyz
cu.abcghijklopqrstuvwxy cv.gn cw.abdegt cy.abo cz.hknot da.acdeghijklmoqrsuvwxyz db.abdefgijlmnopqrtuvwy dc.cr
dd.adegijnorsw de.cdefghiklmnpqrsvz dg.abcdeghiklnorstwxz dh.dgilmnorsuvwx di.abcdfghijklmnopqrstuwxyz
dj.abcdefijkmnoruw dk.agkrsx dl.gkmn dm.abcdefgklmnorsuvwxy dn.adegijknortuvwy do.abcefhiklnopqrstvwxyz dp.p
dr.abcdeghilnoqrstuwy ds.behilnoq dt.abdhikmnoprstuy du.abcefghiklmnopqrsuvwxyz dv.a dw.akrsuwyz dy.abdgimnouy
dz.aegln ea.a eb.cgkoru ec.rsy ee.e ef.aei eg.aloxy eh.su ei.ptv ej.a ek.aegiklmopry el.ehikmoux em.abegikmnpqsuwxyz
en.abcdfhlmnoqruvwx eo.t ep.i er.aghikorstw es.eghiklmnoqsuxy et.bchnorstuxz eu.q ev.ehn ew.o ex.t ey.ao ez.ae
fa.abdfghijklmnprtuxyz fb.l fc.s fe.r ff.im fg.r fi.aeflprtuw fk.kv fl.ahilnry fm.pu fn.bgi fo.dimnrsx fp.e fq.s
fr.cdkmopqrst fs.els fu.bcdefhijmnqrtuvy fv.r fw.ae ga.abcdefghijklmnopqrstuvwxyz gb.abdefghijklmnopqrsuvwxyz
gc.cdeflnrt gd.abcdefghijklmnoqrstux ge.abcdfghijklmqsvwxyz gf.ktx gg.abdegklntuw gh.acehklnorst
gi.abcdeghilmnpqrstuwxyz gj.kmnru gk.adenopu gl.bcdhijkloruwy gm.abdeghlmnqruvwxyz gn.abcdeghijklmnoqrtuwz
go.abcdefghijklmnopqrstuwxyz gp.aen gq.ainru gr.abcdghijkmoqrstuvwxyz gs.eglmnopsw gt.aiu
gu.abcdefghiklmnopqrstuvwxz gv.acefjlmnoprsy gw.abcdefgijmnrtuwx gx.x gy.abdefgilmnoryz gz.ain
ha.abcdefghijklmnopqrsvwxyz hb.abnou hc.ah hd.nsy he.adghim hg.mw hh.iry hi.abdfghijklmortwx hj.i hk.aehkns
hl.abdetu hm.abcdefghijklmnpqrstuvwxyz hn.adeghijnosu ho.abcdehijklmoprstvwyz hp.os hr.acekmoprtuwxz hs.bhlns
ht.iosux hu.bcdefghijklmopqrstuvwxyz hv.ceknv hw.aco hy.awx ia.inr ib.abdeghilmnruy ic.ahlr id.abcdeirstu
if.abefkmuy ig.beglmnosw ih.bipw ii.nr ij.cejnos ik.eikloprstvwxz il.abgikmopsuvw im.ailnorsy in.bceghjlmnopstz
io.ruw ip.io iq.uw ir.aehiknoruxy is.acdeghikmnortu it.bcdeiklmorstvwxyz iu.m iv.bv iw.kmos ix.cl iy.aox iz.hrz
ja.abcdefhjklmnoqstuxyz jb.eijkmnortuw jc.st jd.agt je.beghiklnrtu jg.beko jh.is ji.abcdeghilmoqtuvy jj.er
jk.amoprsu jl.es jm.abcdilnrswx jn.adgijls jo.bdgrsw jp.arx jq.r jr.abrtu js.l ju.abcdhiklmnoprstuwy jv.dn jw.i
jy.aey ka.abcdefghijkmopqrvwxy kb.abcdeghijklmnopqrstuvwxyz kc.abcdefghijklmnopqrstuvwxyz kd.acdefghijklmnopqrtuwxyz
ke.abcdefghijklmnopqrstuvwxyz kf.abcdefghijklmnopqrstuvwxyz kg.abcefghijklmnopqrstuvwxy kh.abcdefghijklnopqrstuvwxyz
ki.abcdefghijlmopqstuvwxyz kj.abcdeghijklmnopqrstuvxyz kk.abcdefghijklmnopqrstuvwxyz kl.abcdefghijklmnopqrstuvwxyz
km.abcdefghijklmnopqrstuvwxyz kn.abcdefgijklmnopqrstuvwxyz ko.acdefghijklopqstuvwyz kp.abcdefghijklmnoqrstuvwxyz
kq.abcdefghijklmnopqrstuvwxyz kr.abcdefhijklmnoprstuvwxyz ks.abcdefghijklmnopqrstuvwxyz
kt.abcdefghijklmnopqrstuvwxyz ku.bcdefghijklmnopqstuvwxyz kv.abcdefghijklmnopqrstuvwxyz
kw.abcdefghijklmnopqrstuvwxyz kx.abcdefhijklmnopqrstvwxyz ky.abcdefghijklmnopqrstuvwxyz kz.abcdefgijklmnopqrstuvwxyz
la.abcdefghijklmnpqrsuwxyz lb.bcefgijklmnoqrstuvwxyz lc.cdefhlmpqs ld.abdghijklmnopq le.abcdefhijklmnopqrstuvwxyz
lf.an lg.abghiklmnqrtuz lh.ahilmnpstu li.abcdefghijklopqrsuvwxyz lj.aeilpwx lk.abcdehijlmnorstuy
ll.abcdefghijklmnopqsux lm.abcdefghijklmnopqruvwxy ln.abdghijlmnosuwz lo.abcefghijklmnopqrstuvwxyz lp.aenox
lr.acegiklmnortvz ls.abdehilmnoprstvy lt.cghinosu lu.acdefijklmnopqrstuvwyz lv.aiksu lw.aeghlmostuw lx.m ly.agn
lz.hlnz ma.abdefgijkmnpqstuvwxz mb.abcdefhijklmnopqrstuvwxyz mc.abcdefghijklmnopqrstuvwxyz
md.abcdefghijklmnpqrstuvwxyz me.abcdefghijklmnopqrstuvwyz mf.abcdefghijklmnopqrstuvwxyz mg.abcdefghijklmnopqrstuvwyz
mh.abcdefgijklmnopqrstuwxyz mi.abcdefghijklmnopqrtuwxyz mj.bcdeghijklmnopqrstuvwxyz mk.abcefghijklmnopqrstuvwxyz
ml.abcefhijklmnopqrsuvwxz mm.abcdefghijklmnopqrtuvwxyz mn.abcdefghijklmnopqrsuvwxyz mo.acdeghijkmopqrstuvwxyz
mp.abcdeghijklmnopqrstuvwxyz mq.abcefghijklmnopqrstuvwxyz mr.abcdefghjklmnopqrstuvwxyz ms.bcdefghijklmnopqrstuvwxyz
mt.abcdefghijklmnopqrstuvwxy mu.abcdeghijkmnopqrstuvxyz mv.abdefghiklnopqrstuvwxyz mw.abcefghijklmnopqrstuvwz
mx.abcdefghijklmnopqrstuvwxyz my.bcdefghjklmnoprstuvwxyz mz.abcdeghijklmnopqrstuvwxyz na.abcdefghijklmnopqrstwxyz
nb.abcdeghijkmnopqrstuvwy nc.abcdefghijklmnopqrstuxz nd.abcdfghijklmnpqrstuvwxyz ne.abcdefghijkmnoqrstuvwxyz
nf.adlru ng.abcdefghijklmnpqrstuvwxyz nh.abcdefghikmnopqrtuvwxyz ni.abcdefghijklmnoqrstuvwxyz nj.abdhijlmnorstuxyz
nk.abcdefghijkmnopqrstuvwxz nl.acegijklmoquvwxyz nm.abcdefghijklmnopqrstuvwxyz nn.abcdefghijklmnpqrstuvwxyz
no.acdefghijklmnpqstuvwyz np.abghilnosuxy nq.gklmnoqty nr.abcefgiklmnprtuxz ns.abcdefghiklmnopqrstuvwxyz
nt.degijkmoprsuwxyz nu.abcdefghijklmnopqrstuvwxyz nv.hmo nw.abcegimorxy nx.adegiklmnoqrux
ny.bcdefghijklmnopqrstuvwxy nz.abdikmsuyz oa.acrv ob.iklmortu oc.ahmou od.aktu of.osu og.bcegou oh.tu oi.an
oj.bcgpsvw ok.abcdeghijklmnorsuvxz ol.adekmortu om.abcgiklnopqrtuvwxy on.abegijknoprstuwx oo.dgnrs op.akmoty
or.aceghnorstuvwxyz os.acinoptux ot.abdeiklmnoqrstuwxyz ou.abeimn ov.d ow.il oy.bdmy oz.m
pa.abcdefghiklmopqrstuvwxyz pb.bcefghilmnoprstuvy pc.abcdefghijklmnprw pd.acinotu pe.abdefghijklmopqsvxyz pf.ael
pg.adgiklnsuz ph.adghiklmnoqrtuvw pi.abcdefghijlmnoprstuvwxyz pj.t pk.abcghnoprstu pl.abcdefghjklnoqrstuvwyz
pm.abcdefhijklmnoqrstuwxyz pn.abcdeghijklmnopqrstuvwxyz po.cefghikmnopqstvwxyz pp.aeiklmnopqrstu pq.aemw
pr.acdefghiklmnopqrstuwxyz ps.acdeghilmnopqrstuwy pt.ahinopqrtuvwy pu.abcdefgijmopqrtuwxyz pw.abgimnorw px.m
py.emnsuxy pz.n qu.abcdfghiklmnpqrsvwxyz qv.acehijlmnopswyz qw.acehmst qx.achlnopqrstuw qy.ap
ra.abcdfghijklmnopqrstuvwxyz rb.bklp rc.f rd.b re.abegijlmnrsty rg.aeknrsu rh.gp ri.aflmnrtu rj.gis rk.abhimtw
rm.abcdefghiklmnopqstuvwxyz rn.dglnprw ro.abcdefglmopruw rp.nt rr.iot rs.blm rt.chmsw ru.bcefghikopqtuyz rw.aklmor
rx.dw ry.nsu rz.h sa.abcdefhijklmoqrstuvwxyz sb.abcdefghijklmnopqrstuvwxyz sc.abefghiklnopqstuvwx
sd.abcefghjklnopqrstuvxz se.abcdefghijklmnopqrstuvwyz sf.bemsw sg.abcdeghijkmnprstuwxyz sh.abcdeghijklmnopqrstuvwxyz
si.abdefghijklmopqrstuvwxyz sj.abdegklmnoprstuw sk.abcdefghijkmnopqrstuvwxyz sl.acdefghijlmnpqrstuwxyz
sm.abcdfghijklmnpqrstuvwxyz sn.bcefgijklmnopqrsuvwxyz so.abcdeghijklnopqrsuvwxyz sp.bcdegiklmnopqrstuvxy
sq.ahjkmnoqrstux sr.abcefghiklmnoqrstuvwxyz ss.abcdefghijklmnopqrstuvxyz st.abdefghijklmnopqrstuvwy
su.abcegijkoqrstvwxyz sv.abcekmsx sw.bcfghijklmnopqrstuvwxy sx.bcegklmnorsuw sy.abcdiklmnorswxy sz.abcdeglnpsvwy
ta.abcdefgijklnopqrsuvwxyz tb.acdefghijklmnopqrstuvwxyz tc.abcdefghiklmnopqstuwxyz td.abcdefghijklmnoqrstuvxy
te.abcdefghikmnopqrstuvwxyz tf.inort tg.abcdefhijnopqrstuvwxyz th.cdefhiklmnpqrstuvwxyz ti.acefghijklmnopqstuvwxyz
tj.agijlmnopsuw tk.abdefgklmnpqrstuvwxz tl.abcdfghijklmnopqrstuvwxy tm.abcdefghijklmnopqrstuvwyz
tn.abcdefghiklmnopqrstuvwxyz to.bcdfghijlmopqrsuvwxyz tp.acefgijklmnopqrtuvwxyz tq.blmnopqrtuw
tr.abcdefghijklmnopqrstuvwxyz ts.abcdefghijklmpqrstuvwxyz tt.abcdefghijklmnopqrstuvwyz tu.abcdefghijlmnopqstuvwxyz
tv.adeklmnostuwxy tw.abcdefghlmnopqrtuwxy tx.abceghijmnoqrstuxy ty.aehijlnprstuvxyz tz.ahjlmnox ua.mnr ub.ailruy
ud.aegijlmu ue.s uf.i ug.abenoy uh.an ui.sv uj.i uk.aghiklpqsuvwy ul.abcefiklmnuw um.abcdgimnoprsu un.aegikmnruxz
uo.k up.iv ur.abcefghijklmnoprtuvwxyz us.ahikpsu ut.aehpru uu.mnru uv.ehl uw.a uy.a uz.ns va.aefghijlmnoprsuvy vb.bk
ve.cdlmopr vg.rt vi.cdfglnstv vk.ajklmnoptuz vl.ps vm.abcdefghijklmpqrsuvwxyz vn.kmp vo.rt vr.aost vs.ilv vt.o
vu.mnt vw.a wa.abcdefghijklmnopqrstuvwxyz wb.abefhijklmpqrstvw wc.ai wd.dgjkuy we.acdghimnoprstuw wf.g wg.abgiouy
wh.agku wi.bcefghijklmnruvy wj.ai wk.abdlruwy wl.aceghiklmorsuvwxy wm.abcdeghimnostwx wn.bcdegikmnopuwy
wo.abcdefgikmnorswy wp.c wr.bdghiklmnoprsuvwxyz ws.agikrsuv wt.fhikmw wu.abdhlmnrtuvxy ww.aborw wx.aw wy.abimry
xa.abcdegijklmnopqrstuvwy xb.abcdegijmnoprwy xc.bceghlmnortuvwy xd.ackmoy xe.bdglmprstu xf.a xg.abdfgilmnruw
xh.acdertuv xi.abilnrsvy xj.bt xk.abcdefghijklnopqrstuvwxyz xl.abcdeginopsuy xm.abcdefghjklmnopqrstuvwxyz
xn.abdghijkmnoqrstuyz xo.cdgikmnoprw xp.abcdefghijklmnopqrstuvwxyz xq.at xr.abdegimnqrtuw xs.abcdehijlmnopqrsuvy
xt.abcdeghijlmnopqrstuvwy xu.abdgjlmnoprtu xv.einos xw.acdegjklortw xx.bkmrt xy.abjklty xz.hmp
ya.abcdefghijklmnopqrstuvwxyz yb.abdehijklmnoxy yc.hlnp yd.adegk ye.aceijlrstuvy yg.ailmprsuw yh.adls
yi.afghijklmnpqrstuvxz yk.agiklmnortuy yl.abegilmnoruy ym.abcdeghiklmnopqrstxz yn.adegklnoqsu yo.bgiklmnstxy
yp.abghkmnopz yr.abeklmnoswy ys.cdglmnoprsy yt.alpwy yu.abcdefgijklmnpqrtuwxyz yv.at yw.aglnqrtuw yx.aglmuy yy.ruz
yz.gk za.abcdefghijklmopqrstuvwxyz zb.aceltuw zc.ah zd.j ze.aghn zg.abhmnr zh.bdinwx zi.abklmnrwz zk.abdghknoprtuvz
zl.aejmnqsw zm.abcdefghijklmnopqrstuvwxyz zn.adegks zo.chmoqrs zp.abcdefghijklmnopqrstuvwxyz zq.e zr.agnops
zs.aklmru zt.eglmnpqstuxy zu.ahmny zw.a zy.bgjnp zz.aj
"""
"""Languages of three letters: the first two, a full stop, and each third letter there is."""

RENAMED = """
aam=aas adp=dz asd=snz aue=ktz ayx=nun bgm=bcg bic=bir bjd=drl blg=iba ccq=rki cjr=mom cka=cmr cmk=xch coy=pij
cqu=quh dit=dif drh=khk drr=kzk drw=prs gav=dev gfx=vaj ggn=gvr gli=kzk gti=nyc guv=duz hrr=jal ibi=opa ilw=gal
in=id iw=he jeg=oyb ji=yi jw=jv kgc=tdf kgh=kml koj=kwv krm=bmf ktr=dtp kvs=gdj kwq=yam kxe=tvd kxl=kru kzj=dtp
kzt=dtp lii=raq llo=ngt lmm=rmx meg=cir mo=ro mst=mry mwj=vaj myd=aog myt=mry nad=xny ncp=kdz nns=nbr nnx=ngv
nts=pij nxu=bpp oun=vaj pat=kxr pcr=adx pmc=huw pmu=phr ppa=bfy ppr=lcq pry=prt puz=pub sca=hle skk=oyb tdu=dtp
thc=tpo thw=ola thx=oyb tie=ras tkk=twm tlw=weo tmp=tyj tne=kak tnf=prs tsf=taj uok=ema xba=cax xia=acn xkh=waw
xrq=dmw ybd=rki yma=lrr ymt=mtm yos=zom yuu=yug zir=scv
"""
"""Language=what it is called now."""

SCRIPTS = """
Adlm Afak Aghb Ahom Arab Aran Armi Armn Avst Bali Bamu Bass Batk Beng Bhks Blis Bopo Brah Brai Bugi Buhd Cakm Cans
Cari Cham Cher Chrs Cirt Copt Cpmn Cprt Cyrl Cyrs Deva Diak Dogr Dsrt Dupl Egyd Egyh Egyp Elba Elym Ethi Geok Geor
Glag Gong Gonm Goth Gran Grek Gujr Guru Hanb Hang Hani Hano Hans Hant Hatr Hebr Hira Hluw Hmng Hmnp Hrkt Hung Inds
Ital Jamo Java Jpan Jurc Kali Kana Khar Khmr Khoj Kitl Kits Knda Kore Kpel Kthi Lana Laoo Latf Latg Latn Leke Lepc
Limb Lina Linb Lisu Loma Lyci Lydi Mahj Maka Mand Mani Marc Maya Medf Mend Merc Mero Mlym Modi Mong Moon Mroo Mtei
Mult Mymr Nand Narb Nbat Newa Nkdb Nkgb Nkoo Nshu Ogam Olck Orkh Orya Osge Osma Ougr Palm Pauc Pcun Pelm Perm Phag
Phli Phlp Phlv Phnx Piqd Plrd Prti Psin Ranj Rjng Rohg Roro Runr Samr Sara Sarb Saur Sgnw Shaw Shrd Shui Sidd Sind
Sinh Sogd Sogo Sora Soyo Sund Sylo Syrc Syre Syrj Syrn Tagb Takr Tale Talu Taml Tang Tavt Telu Teng Tfng Tglg Thaa
Thai Tibt Tirh Tnsa Toto Ugar Vaii Visp Vith Wara Wcho Wole Xpeo Xsux Yezi Yiii Zanb Zinh Zmth Zsye Zsym Zxxx Zyyy
Zzzz
"""
"""Scripts."""

VARIANTS = """
1606nict 1694acad 1901 1959acad 1994 1996 abl1943 akuapem alalc97 aluku ao1990 aranes arkaika asante auvern baku1926
balanka barla basiceng bauddha biscayan biske bohoric boont bornholm cisaup colb1945 cornu creiss dajnko ekavsk
emodeng fonipa fonkirsh fonnapa fonupa fonxsamp gallo gascon grclass grital grmistr hepburn hognorsk hsistemo
ijekavsk itihasa ivanchov jauer jyutping kkcor kociewie kscor laukika lemosin lengadoc lipaw luna1918 metelko
monoton ndyuka nedis newfound nicard njiva nulik osojs oxendict pahawh2 pahawh3 pahawh4 pamaka peano petr1708 pinyin
polyton provenc puter rigik rozaj rumgr scotland scouse simple solba sotav spanglis surmiran sursilv sutsilv
synnejyl tarask tongyong tunumiit uccor ucrcor ulster unifon vaidika valencia vallader vecdruka vivaraup wadegile
xsistemo
"""
"""Variants."""

AREAS = """
001 002 003 005 009 011 013 014 015 017 018 019 021 029 030 034 035 039 053 054 057 061 142 143 145 150 151 154 155
202 419
"""
"""Regions larger than a country."""

COUNTRIES = """
AND=AD ARE=AE AFG=AF ATG=AG AIA=AI ALB=AL ARM=AM AGO=AO ATA=AQ ARG=AR ASM=AS AUT=AT AUS=AU ABW=AW ALA=AX AZE=AZ
BIH=BA BRB=BB BGD=BD BEL=BE BFA=BF BGR=BG BHR=BH BDI=BI BEN=BJ BLM=BL BMU=BM BRN=BN BOL=BO BES=BQ BRA=BR BHS=BS
BTN=BT BVT=BV BWA=BW BLR=BY BLZ=BZ CAN=CA CCK=CC COD=CD CAF=CF COG=CG CHE=CH CIV=CI COK=CK CHL=CL CMR=CM CHN=CN
COL=CO CRI=CR CUB=CU CPV=CV CUW=CW CXR=CX CYP=CY CZE=CZ DEU=DE DJI=DJ DNK=DK DMA=DM DOM=DO DZA=DZ ECU=EC EST=EE
EGY=EG ESH=EH ERI=ER ESP=ES ETH=ET FIN=FI FJI=FJ FLK=FK FSM=FM FRO=FO FRA=FR GAB=GA GBR=GB GRD=GD GEO=GE GUF=GF
GGY=GG GHA=GH GIB=GI GRL=GL GMB=GM GIN=GN GLP=GP GNQ=GQ GRC=GR SGS=GS GTM=GT GUM=GU GNB=GW GUY=GY HKG=HK HMD=HM
HND=HN HRV=HR HTI=HT HUN=HU IDN=ID IRL=IE ISR=IL IMN=IM IND=IN IOT=IO IRQ=IQ IRN=IR ISL=IS ITA=IT JEY=JE JAM=JM
JOR=JO JPN=JP KEN=KE KGZ=KG KHM=KH KIR=KI COM=KM KNA=KN PRK=KP KOR=KR KWT=KW CYM=KY KAZ=KZ LAO=LA LBN=LB LCA=LC
LIE=LI LKA=LK LBR=LR LSO=LS LTU=LT LUX=LU LVA=LV LBY=LY MAR=MA MCO=MC MDA=MD MNE=ME MAF=MF MDG=MG MHL=MH MKD=MK
MLI=ML MMR=MM MNG=MN MAC=MO MNP=MP MTQ=MQ MRT=MR MSR=MS MLT=MT MUS=MU MDV=MV MWI=MW MEX=MX MYS=MY MOZ=MZ NAM=NA
NCL=NC NER=NE NFK=NF NGA=NG NIC=NI NLD=NL NOR=NO NPL=NP NRU=NR NIU=NU NZL=NZ OMN=OM PAN=PA PER=PE PYF=PF PNG=PG
PHL=PH PAK=PK POL=PL SPM=PM PCN=PN PRI=PR PSE=PS PRT=PT PLW=PW PRY=PY QAT=QA REU=RE ROU=RO SRB=RS RUS=RU RWA=RW
SAU=SA SLB=SB SYC=SC SDN=SD SWE=SE SGP=SG SHN=SH SVN=SI SJM=SJ SVK=SK SLE=SL SMR=SM SEN=SN SOM=SO SUR=SR SSD=SS
STP=ST SLV=SV SXM=SX SYR=SY SWZ=SZ TCA=TC TCD=TD ATF=TF TGO=TG THA=TH TJK=TJ TKL=TK TLS=TL TKM=TM TUN=TN TON=TO
TUR=TR TTO=TT TUV=TV TWN=TW TZA=TZ UKR=UA UGA=UG UMI=UM USA=US URY=UY UZB=UZ VAT=VA VCT=VC VEN=VE VGB=VG VIR=VI
VNM=VN VUT=VU WLF=WF WSM=WS YEM=YE MYT=YT ZAF=ZA ZMB=ZM ZWE=ZW
"""
"""Countries by three letters=by two."""

CURRENCIES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
"""Currencies."""

DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Decimals of the minor unit; currencies not named have two."""
